// The Container Apps environment.
param name string
param location string
param subnetId string
param publicIngress bool
param networkId string
param workspaceId string

@description('Principal that may create jobs in the environment. Empty if there is none.')
param joinerId string

var groupId = resourceGroup().id

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: name
  location: location
  properties: {
    vnetConfiguration: {
      infrastructureSubnetId: subnetId
      internal: !publicIngress
    }
    appLogsConfiguration: {
      destination: 'azure-monitor'
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
    zoneRedundant: false
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: environment
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'ContainerAppConsoleLogs'
        enabled: true
      }
      {
        category: 'ContainerAppSystemLogs'
        enabled: true
      }
    ]
  }
}

// Azure has no built-in role with only this permission.
resource joining 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (!empty(joinerId)) {
  name: guid(environment.id, 'joining')
  properties: {
    roleName: 'Joins ${name}, ${uniqueString(environment.id)}'
    description: 'Puts jobs into one environment of Container Apps.'
    type: 'CustomRole'
    assignableScopes: [
      groupId
    ]
    permissions: [
      {
        actions: [
          'Microsoft.App/managedEnvironments/read'
          'Microsoft.App/managedEnvironments/join/action'
        ]
      }
    ]
  }
}

resource joins 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(joinerId)) {
  name: guid(environment.id, joinerId, joining.id)
  scope: environment
  properties: {
    principalId: joinerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: joining.id
  }
}

module domain 'domain.bicep' = if (!publicIngress) {
  name: 'environment-domain'
  params: {
    domain: environment.properties.defaultDomain
    address: environment.properties.staticIp
    networkId: networkId
  }
}

output id string = environment.id
output domain string = environment.properties.defaultDomain
