// A Databricks workspace in the network of the library, closed to the internet, and the identity with which its Unity Catalog
// reads storage. The bundle in deploy/databricks defines what is in it.
param name string
param location string
param managedGroupName string
param networkId string
param hostSubnet string
param containerSubnet string
param subnetId string
param zoneId string

resource workspace 'Microsoft.Databricks/workspaces@2024-05-01' = {
  name: name
  location: location
  sku: {
    name: 'premium'
  }
  properties: {
    managedResourceGroupId: subscriptionResourceId('Microsoft.Resources/resourceGroups', managedGroupName)
    publicNetworkAccess: 'Disabled'
    requiredNsgRules: 'NoAzureDatabricksRules'
    parameters: {
      enableNoPublicIp: {
        value: true
      }
      customVirtualNetworkId: {
        value: networkId
      }
      customPublicSubnetName: {
        value: hostSubnet
      }
      customPrivateSubnetName: {
        value: containerSubnet
      }
    }
  }
}

// The storage credential of Unity Catalog names it. It gets the role Storage Blob Data Reader on the account of the tables.
resource connector 'Microsoft.Databricks/accessConnectors@2024-05-01' = {
  name: '${name}-connector'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'databricks-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    serviceId: workspace.id
    part: 'databricks_ui_api'
    subnetId: subnetId
    zoneId: zoneId
  }
}

// Entra sends people here after they have signed in. One endpoint serves all workspaces of a region.
module signInEndpoint 'endpoint.bicep' = {
  name: 'databricks-sign-in-endpoint'
  params: {
    name: 'pe-${name}-sign-in'
    location: location
    serviceId: workspace.id
    part: 'browser_authentication'
    subnetId: subnetId
    zoneId: zoneId
  }
  dependsOn: [
    endpoint
  ]
}

output connectorId string = connector.id
output connectorPrincipalId string = connector.identity.principalId
