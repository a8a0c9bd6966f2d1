// Where containers run.
param name string
param location string
param subnetId string
param publicIngress bool
param networkId string
param workspaceId string

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
